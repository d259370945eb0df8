# teu-fuzz: the code of teu-layer that reads and writes hostile tars and that of teu-cgroup-watch that reads the kernel's log, with sanitizers and with coverage, and a driver that is not
# measured itself. Included by nobody: make -C native -f fuzz/rules.mk dist/asan/fuzz/teu-fuzz
SANITIZED ?= dist/asan
FUZZED := directory_resolver entry_metadata entry_path pax_records tar_header tar_numbers tar_reader tar_stream tree_remover \
	tree_writer
FUZZED_WATCH := kmsg_record oom_lines oom_report
FUZZ_FLAGS := -std=c++20 -Wall -Wextra -Werror -I. -Isrc -O1 -g -pthread -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -DTEU_SANITIZED
FUZZ_OBJECTS := $(FUZZED:%=$(SANITIZED)/fuzz/layer/%.o) $(SANITIZED)/fuzz/chunk_ring.o \
	$(FUZZED_WATCH:%=$(SANITIZED)/fuzz/watch/%.o) $(SANITIZED)/fuzz/conversation/words.o \
	$(patsubst fuzz/%.cc,$(SANITIZED)/fuzz/driver/%.o,$(wildcard fuzz/*.cc))
FUZZ_HEADERS := $(wildcard fuzz/*.h src/layer/*.h src/watch/*.h src/conversation/*.h) src/sys/unique_fd.h

FUZZ_COMPILE = mkdir -p $(@D) && $(CXX) $(FUZZ_FLAGS) -fsanitize-coverage=trace-pc -c -o $@ $<
$(SANITIZED)/fuzz/layer/%.o: src/layer/%.cc $(FUZZ_HEADERS)
	$(FUZZ_COMPILE)
$(SANITIZED)/fuzz/watch/%.o: src/watch/%.cc $(FUZZ_HEADERS)
	$(FUZZ_COMPILE)
$(SANITIZED)/fuzz/conversation/%.o: src/conversation/%.cc $(FUZZ_HEADERS)
	$(FUZZ_COMPILE)

$(SANITIZED)/fuzz/chunk_ring.o: src/layer/chunk_ring.cc $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(FUZZ_FLAGS) -c -o $@ $<

$(SANITIZED)/fuzz/driver/%.o: fuzz/%.cc $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(FUZZ_FLAGS) -c -o $@ $<

# The same with a bug that it must find: nothing looks any more whether an escaped byte is cut off.
PLANTED := $(SANITIZED)/fuzz/planted/kmsg_record
$(PLANTED).cc: src/watch/kmsg_record.cc
	@mkdir -p $(@D)
	sed 's/at + 3 >= text.size() || //' $< > $@
	! cmp -s $< $@
$(PLANTED).o: $(PLANTED).cc $(FUZZ_HEADERS)
	$(FUZZ_COMPILE)

$(SANITIZED)/fuzz/teu-fuzz-planted: $(PLANTED).o $(filter-out %/watch/kmsg_record.o,$(FUZZ_OBJECTS))
$(SANITIZED)/fuzz/teu-fuzz: $(FUZZ_OBJECTS)
$(SANITIZED)/fuzz/teu-fuzz $(SANITIZED)/fuzz/teu-fuzz-planted:
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
