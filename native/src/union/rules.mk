# teu-union: hosted C++20 with libfuse; the form of failures is that of teu-layer. Included by native/Makefile; also usable
# alone: make -C native -f src/union/rules.mk teu-union
BUILD ?= build
SANITIZED ?= dist/asan
UNION_SOURCES := $(wildcard src/union/*.cc) src/layer/json_line.cc src/sys/files.cc src/sys/sockets.cc
UNION_HEADERS := $(wildcard src/union/*.h src/sys/*.h) src/layer/json_line.h
UNION_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc -isystem /usr/include/fuse3 \
	-D_FILE_OFFSET_BITS=64
UNION_FLAGS := $(UNION_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections \
	-fdata-sections
UNION_OBJECTS := $(UNION_SOURCES:src/%.cc=$(BUILD)/union-objects/%.o)
UNION_ASAN_OBJECTS := $(UNION_SOURCES:src/%.cc=$(SANITIZED)/union-objects/%.o)

.PHONY: teu-union teu-union-asan
teu-union: $(BUILD)/teu-union
teu-union-asan: $(SANITIZED)/teu-union

$(BUILD)/union-objects/%.o: src/%.cc $(UNION_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(UNION_FLAGS) -c -o $@ $<

$(BUILD)/teu-union: $(UNION_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^ -l:libfuse3.a -ldl
	mv $@.tmp $@

$(SANITIZED)/union-objects/%.o: src/%.cc $(UNION_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(UNION_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-union: $(UNION_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^ -l:libfuse3.a -ldl
	mv $@.tmp $@
