# teu-graft: hosted C++20, with libc alone at run time; the cage is that of teu-layer, entries are read as by teu-tree. Included
# by native/Makefile; also usable alone: make -C native -f src/graft/rules.mk teu-graft
BUILD ?= build
SANITIZED ?= dist/asan
GRAFT_SOURCES := $(wildcard src/graft/*.cc src/trees/*.cc src/cage/*.cc) src/layer/json_line.cc src/layer/sha256.cc \
	src/tree/content_digest.cc src/tree/entry_facts.cc src/tree/line_output.cc src/tree/mend_attributes.cc
GRAFT_HEADERS := $(wildcard src/graft/*.h src/trees/*.h src/cage/*.h src/tree/*.h) src/layer/failure.h src/layer/json_line.h \
	src/layer/sha256.h src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h src/sys/mount_data.h src/sys/text.h
GRAFT_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
GRAFT_FLAGS := $(GRAFT_WARNINGS) -O2 -g0 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections \
	-fdata-sections
GRAFT_OBJECTS := $(GRAFT_SOURCES:src/%.cc=$(BUILD)/graft-objects/%.o)
GRAFT_ASAN_OBJECTS := $(GRAFT_SOURCES:src/%.cc=$(SANITIZED)/graft-objects/%.o)

.PHONY: teu-graft teu-graft-asan
teu-graft: $(BUILD)/teu-graft
teu-graft-asan: $(SANITIZED)/teu-graft

$(BUILD)/graft-objects/%.o: src/%.cc $(GRAFT_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(GRAFT_FLAGS) -c -o $@ $<

$(BUILD)/teu-graft: $(GRAFT_OBJECTS)
	$(CXX) -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@

$(SANITIZED)/graft-objects/%.o: src/%.cc $(GRAFT_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(GRAFT_WARNINGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -DTEU_SANITIZED -c -o $@ $<

$(SANITIZED)/teu-graft: $(GRAFT_ASAN_OBJECTS)
	$(CXX) -fsanitize=address,undefined -static-libasan -o $@.tmp $^ -l:libcrypto.a
	mv $@.tmp $@
