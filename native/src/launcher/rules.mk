# The launcher, bin/teu: static, and without the C++ run-time library, so that it starts in a
# fraction of a millisecond. Included by native/Makefile; paths are relative to it.

LAUNCHER_SOURCES := $(wildcard src/launcher/*.cc)
LAUNCHER_OBJECTS := $(patsubst src/launcher/%.cc,build/launcher/%.o,$(LAUNCHER_SOURCES))
LAUNCHER_FLAGS := -std=c++20 -O2 -Wall -Wextra -Werror -fvisibility=hidden -fno-exceptions -fno-rtti \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections

build/launcher/%.o: src/launcher/%.cc $(wildcard src/launcher/*.h)
	@mkdir -p $(@D)
	$(CXX) $(LAUNCHER_FLAGS) -c -o $@ $<

# The C driver links on purpose: nothing here may need libstdc++.
build/teu: $(LAUNCHER_OBJECTS)
	$(CC) -static -Wl,--gc-sections -Wl,-z,relro,-z,now -s -o $@ $^
