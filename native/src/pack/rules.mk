# teu-pack: hosted C++20, with libc alone at run time; hashing, chunks and the form of answers are those of teu-layer. Included
# by native/Makefile; also usable alone: make -C native -f src/pack/rules.mk teu-pack
BUILD ?= build
SANITIZED ?= dist/asan
PACK_SOURCES := $(wildcard src/pack/*.cc) src/layer/chunk_ring.cc src/layer/json_line.cc src/layer/sha256.cc
PACK_HEADERS := $(wildcard src/pack/*.h) src/layer/chunk_ring.h src/layer/failure.h src/layer/json_line.h \
	src/layer/sha256.h src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h
PACK_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
PACK_FLAGS := $(PACK_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffunction-sections -fdata-sections
PACK_OBJECTS := $(PACK_SOURCES:src/%.cc=$(BUILD)/pack-objects/%.o)
PACK_ASAN_OBJECTS := $(PACK_SOURCES:src/%.cc=$(SANITIZED)/pack-objects/%.o)

.PHONY: teu-pack teu-pack-asan
teu-pack: $(BUILD)/teu-pack
teu-pack-asan: $(SANITIZED)/teu-pack

$(BUILD)/pack-objects/%.o: src/%.cc $(PACK_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(PACK_FLAGS) -c -o $@ $<

$(BUILD)/teu-pack: $(PACK_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@

$(SANITIZED)/pack-objects/%.o: src/%.cc $(PACK_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(PACK_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-pack: $(PACK_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@
