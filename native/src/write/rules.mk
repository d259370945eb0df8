# teu-cgroup-write: hosted C++20, with libc alone at run time. Included by native/Makefile; also usable alone:
# make -C native -f src/write/rules.mk teu-cgroup-write
BUILD ?= build
SANITIZED ?= dist/asan
WRITE_SOURCES := $(wildcard src/write/*.cc)
WRITE_HEADERS := $(wildcard src/write/*.h) src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h
WRITE_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
WRITE_FLAGS := $(WRITE_WARNINGS) -O2 -g0 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections \
	-fdata-sections
WRITE_OBJECTS := $(WRITE_SOURCES:src/%.cc=$(BUILD)/write-objects/%.o)
WRITE_ASAN_OBJECTS := $(WRITE_SOURCES:src/%.cc=$(SANITIZED)/write-objects/%.o)

.PHONY: teu-cgroup-write
teu-cgroup-write: $(BUILD)/teu-cgroup-write

$(BUILD)/write-objects/%.o: src/%.cc $(WRITE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(WRITE_FLAGS) -c -o $@ $<

$(BUILD)/teu-cgroup-write: $(WRITE_OBJECTS)
	$(CXX) -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^
	mv $@.tmp $@

$(SANITIZED)/write-objects/%.o: src/%.cc $(WRITE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(WRITE_WARNINGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-cgroup-write: $(WRITE_ASAN_OBJECTS)
	$(CXX) -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
