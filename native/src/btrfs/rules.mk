# teu-btrfs: hosted C++20, with libc alone at run time. Included by native/Makefile; also usable alone:
# make -C native -f src/btrfs/rules.mk teu-btrfs
BUILD ?= build
SANITIZED ?= dist/asan
BTRFS_SOURCES := $(wildcard src/btrfs/*.cc src/conversation/*.cc) src/sys/files.cc
BTRFS_HEADERS := $(wildcard src/btrfs/*.h src/conversation/*.h src/sys/*.h)
BTRFS_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
BTRFS_FLAGS := $(BTRFS_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffunction-sections -fdata-sections
BTRFS_OBJECTS := $(BTRFS_SOURCES:src/%.cc=$(BUILD)/hosted-btrfs/%.o)
BTRFS_ASAN_OBJECTS := $(BTRFS_SOURCES:src/%.cc=$(SANITIZED)/hosted-btrfs/%.o)

.PHONY: teu-btrfs teu-btrfs-asan
teu-btrfs: $(BUILD)/teu-btrfs
teu-btrfs-asan: $(SANITIZED)/teu-btrfs

$(BUILD)/hosted-btrfs/%.o: src/%.cc $(BTRFS_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(BTRFS_FLAGS) -c -o $@ $<

$(BUILD)/teu-btrfs: $(BTRFS_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^
	mv $@.tmp $@

$(SANITIZED)/hosted-btrfs/%.o: src/%.cc $(BTRFS_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(BTRFS_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-btrfs: $(BTRFS_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
