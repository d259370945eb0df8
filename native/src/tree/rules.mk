# teu-tree: hosted C++20; hashing and the forms of failures and JSON are those of teu-layer. Included by native/Makefile; also
# usable alone: make -C native -f src/tree/rules.mk teu-tree
BUILD ?= build
SANITIZED ?= dist/asan
TREE_SOURCES := $(wildcard src/tree/*.cc) src/layer/sha256.cc src/layer/json_line.cc
TREE_HEADERS := $(wildcard src/tree/*.h) src/layer/failure.h src/layer/json_line.h src/layer/sha256.h \
	src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h
TREE_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
TREE_FLAGS := $(TREE_WARNINGS) -O2 -g0 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections \
	-fdata-sections
TREE_OBJECTS := $(TREE_SOURCES:src/%.cc=$(BUILD)/tree-objects/%.o)
TREE_ASAN_OBJECTS := $(TREE_SOURCES:src/%.cc=$(SANITIZED)/tree-objects/%.o)

.PHONY: teu-tree teu-tree-asan
teu-tree: $(BUILD)/teu-tree
teu-tree-asan: $(SANITIZED)/teu-tree

$(BUILD)/tree-objects/%.o: src/%.cc $(TREE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(TREE_FLAGS) -c -o $@ $<

$(BUILD)/teu-tree: $(TREE_OBJECTS)
	$(CXX) -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@

$(SANITIZED)/tree-objects/%.o: src/%.cc $(TREE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(TREE_WARNINGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-tree: $(TREE_ASAN_OBJECTS)
	$(CXX) -fsanitize=address,undefined -static-libasan -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@
