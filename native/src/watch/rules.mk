# teu-cgroup-watch: hosted C++20, with libc alone at run time. Included by native/Makefile; also usable alone:
# make -C native -f src/watch/rules.mk teu-cgroup-watch
BUILD ?= build
SANITIZED ?= dist/asan
WATCH_SOURCES := $(wildcard src/watch/*.cc) src/conversation/words.cc src/sys/files.cc
WATCH_HEADERS := $(wildcard src/watch/*.h src/conversation/*.h src/sys/*.h)
WATCH_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
WATCH_FLAGS := $(WATCH_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections -fdata-sections
WATCH_SANITIZERS := -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
WATCH_OBJECTS := $(WATCH_SOURCES:src/%.cc=$(BUILD)/watch-objects/%.o)
WATCH_ASAN_OBJECTS := $(WATCH_SOURCES:src/%.cc=$(SANITIZED)/watch-objects/%.o)

.PHONY: teu-cgroup-watch teu-cgroup-watch-asan
teu-cgroup-watch: $(BUILD)/teu-cgroup-watch
teu-cgroup-watch-asan: $(SANITIZED)/teu-cgroup-watch

$(BUILD)/watch-objects/%.o: src/%.cc $(WATCH_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(WATCH_FLAGS) -c -o $@ $<

$(BUILD)/teu-cgroup-watch: $(WATCH_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^
	mv $@.tmp $@

$(SANITIZED)/watch-objects/%.o: src/%.cc $(WATCH_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(WATCH_WARNINGS) $(WATCH_SANITIZERS) -c -o $@ $<

$(SANITIZED)/teu-cgroup-watch: $(WATCH_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@

# What the tests call; the rest would be compiled for nothing.
WATCH_TESTED := hierarchies kmsg_record oom_lines oom_report options output pressure_trigger
WATCH_TEST_OBJECTS := $(patsubst %.cc,$(SANITIZED)/watch-objects/%.o,$(wildcard test/watch/*.cc)) \
	$(WATCH_TESTED:%=$(SANITIZED)/watch-objects/watch/%.o) \
	$(SANITIZED)/watch-objects/conversation/words.o $(SANITIZED)/watch-objects/sys/files.o
$(SANITIZED)/watch-objects/test/%.o: test/%.cc $(WATCH_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(WATCH_WARNINGS) $(WATCH_SANITIZERS) -O0 -c -o $@ $<

$(SANITIZED)/watch-tests: $(WATCH_TEST_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
