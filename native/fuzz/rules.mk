# teu-fuzz: the code of teu-layer that reads and writes hostile tars, with sanitizers and with coverage, and a driver that is not
# measured itself. Included by nobody: make -C native -f fuzz/rules.mk dist/asan/fuzz/teu-fuzz
SANITIZED ?= dist/asan
FUZZED := directory_resolver entry_metadata entry_path pax_records tar_header tar_numbers tar_reader tar_stream tree_remover \
	tree_writer
FUZZ_FLAGS := -std=c++20 -Wall -Wextra -Werror -I. -Isrc -O1 -g -pthread -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -DTEU_SANITIZED
FUZZ_OBJECTS := $(FUZZED:%=$(SANITIZED)/fuzz/layer/%.o) $(SANITIZED)/fuzz/chunk_ring.o \
	$(patsubst fuzz/%.cc,$(SANITIZED)/fuzz/driver/%.o,$(wildcard fuzz/*.cc))
FUZZ_HEADERS := $(wildcard fuzz/*.h src/layer/*.h) src/sys/unique_fd.h

$(SANITIZED)/fuzz/layer/%.o: src/layer/%.cc $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(FUZZ_FLAGS) -fsanitize-coverage=trace-pc -c -o $@ $<

$(SANITIZED)/fuzz/chunk_ring.o: src/layer/chunk_ring.cc $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(FUZZ_FLAGS) -c -o $@ $<

$(SANITIZED)/fuzz/driver/%.o: fuzz/%.cc $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(FUZZ_FLAGS) -c -o $@ $<

$(SANITIZED)/fuzz/teu-fuzz: $(FUZZ_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
