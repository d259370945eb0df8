# teu-layer: hosted C++20. All is linked statically but libc and isa-l (Debian has no libisal.a); both are loaded and bound
# (-z now) before the cage is entered, so nothing is looked up from inside it. Included by native/Makefile; also usable
# alone: make -C native -f src/layer/rules.mk teu-layer
BUILD ?= build
SANITIZED ?= dist/asan
LAYER_SOURCES := $(wildcard src/layer/*.cc src/produce/*.cc src/trees/*.cc src/cage/*.cc) \
	src/tree/content_digest.cc src/tree/entry_facts.cc
LAYER_HEADERS := $(wildcard src/layer/*.h src/produce/*.h src/trees/*.h src/tree/*.h src/cage/*.h) src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h \
	src/sys/mount_data.h src/sys/text.h
LAYER_WARNINGS := -std=c++20 -Wall -Wextra -Werror -fvisibility=hidden -Isrc
LAYER_FLAGS := $(LAYER_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffunction-sections -fdata-sections
LAYER_LIBRARIES := -l:libzstd.a -l:libcrypto.a -lisal
LAYER_OBJECTS := $(LAYER_SOURCES:src/%.cc=$(BUILD)/layer-objects/%.o)
LAYER_ASAN_OBJECTS := $(LAYER_SOURCES:src/%.cc=$(SANITIZED)/layer-objects/%.o)

.PHONY: teu-layer teu-layer-asan
teu-layer: $(BUILD)/teu-layer
teu-layer-asan: $(SANITIZED)/teu-layer

$(BUILD)/layer-objects/%.o: src/%.cc $(LAYER_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(LAYER_FLAGS) -c -o $@ $<

$(BUILD)/teu-layer: $(LAYER_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^ $(LAYER_LIBRARIES)
	mv $@.tmp $@

$(SANITIZED)/layer-objects/%.o: src/%.cc $(LAYER_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(LAYER_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-omit-frame-pointer \
		-DTEU_SANITIZED -c -o $@ $<

$(SANITIZED)/teu-layer: $(LAYER_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^ $(LAYER_LIBRARIES)
	mv $@.tmp $@
