# teu-dm: hosted C++20, with libc alone at run time. Included by native/Makefile; also usable alone:
# make -C native -f src/dm/rules.mk teu-dm
BUILD ?= build
SANITIZED ?= dist/asan
DM_SOURCES := $(wildcard src/dm/*.cc src/conversation/*.cc) src/sys/files.cc src/sys/mounts.cc
DM_HEADERS := $(wildcard src/dm/*.h src/conversation/*.h src/sys/*.h)
DM_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
DM_FLAGS := $(DM_WARNINGS) -O2 -g0 -pthread -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffunction-sections -fdata-sections
DM_OBJECTS := $(DM_SOURCES:src/%.cc=$(BUILD)/hosted-dm/%.o)
DM_ASAN_OBJECTS := $(DM_SOURCES:src/%.cc=$(SANITIZED)/hosted-dm/%.o)

.PHONY: teu-dm teu-dm-asan
teu-dm: $(BUILD)/teu-dm
teu-dm-asan: $(SANITIZED)/teu-dm

$(BUILD)/hosted-dm/%.o: src/%.cc $(DM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(DM_FLAGS) -c -o $@ $<

$(BUILD)/teu-dm: $(DM_OBJECTS)
	$(CXX) -pthread -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^
	mv $@.tmp $@

$(SANITIZED)/hosted-dm/%.o: src/%.cc $(DM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(DM_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/teu-dm: $(DM_ASAN_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@

DM_TEST_OBJECTS := $(patsubst %.cc,$(SANITIZED)/hosted-dm/%.o,$(wildcard test/dm/*.cc)) \
	$(filter-out %/dm/main.o,$(DM_ASAN_OBJECTS))
$(SANITIZED)/hosted-dm/test/%.o: test/%.cc $(DM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(DM_WARNINGS) -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/dm-tests: $(DM_TEST_OBJECTS)
	$(CXX) -pthread -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
