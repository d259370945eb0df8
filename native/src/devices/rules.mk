# teu-devices: hosted C++20, with libc alone at run time. Included by native/Makefile; also usable alone:
# make -C native -f src/devices/rules.mk teu-devices
BUILD ?= build
SANITIZED ?= dist/asan
DEVICES_SOURCES := $(wildcard src/devices/*.cc)
DEVICES_HEADERS := $(wildcard src/devices/*.h) src/sys/unique_fd.h src/sys/result.h src/sys/raw_syscall.h
DEVICES_WARNINGS := -std=c++20 -Wall -Wextra -Wshadow -Werror -fvisibility=hidden -Isrc
DEVICES_FLAGS := $(DEVICES_WARNINGS) -O2 -g0 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffunction-sections \
	-fdata-sections
DEVICES_OBJECTS := $(DEVICES_SOURCES:src/%.cc=$(BUILD)/devices-objects/%.o)

.PHONY: teu-devices
teu-devices: $(BUILD)/teu-devices

$(BUILD)/devices-objects/%.o: src/%.cc $(DEVICES_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(DEVICES_FLAGS) -c -o $@ $<

$(BUILD)/teu-devices: $(DEVICES_OBJECTS)
	$(CXX) -static-libstdc++ -static-libgcc -Wl,--gc-sections,-z,now,-z,relro -s -o $@.tmp $^
	mv $@.tmp $@

DEVICES_TESTED := $(filter-out %/main.cc,$(DEVICES_SOURCES)) $(wildcard test/devices/*.cc)
DEVICES_TEST_OBJECTS := $(DEVICES_TESTED:%.cc=$(SANITIZED)/devices-objects/%.o)
$(SANITIZED)/devices-objects/%.o: %.cc $(DEVICES_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(DEVICES_WARNINGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -c -o $@ $<

$(SANITIZED)/devices-tests: $(DEVICES_TEST_OBJECTS)
	$(CXX) -fsanitize=address,undefined -static-libasan -o $@.tmp $^
	mv $@.tmp $@
