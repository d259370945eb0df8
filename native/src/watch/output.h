// What the program says by itself, in lines of words. Texts are percent-encoded where they are not
// plain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "watch/counts.h"
#include "watch/kmsg_reader.h"
#include "watch/oom_report.h"

namespace teu::watch {

/// A text as one word of printable ASCII: bytes that are not, blanks, "=" and "%" become "%NN".
std::string encodeWord(std::string_view text);

/// "0 counts KEY pids.max=N memory.max=N memory.high=N oom_kill=N reached=0|1": counters of a group
/// have grown, or its memory has come to its limit.
std::string countsLine(std::uint64_t key, const Counts& counts, bool reached);

/// "0 pressure KEY memory|io|cpu|level": its tasks waited as long as was asked for.
std::string pressureLine(std::uint64_t key, std::string_view resource);

/// "0 gone KEY": the group is not there any more, and no longer watched.
std::string goneLine(std::uint64_t key);

/// "0 oom NAME=VALUE...": one kill.
///
/// @param realtime is when it was, in microseconds since 1970.
std::string oomLine(const OomReport& report, std::uint64_t realtime);

/// "0 lost N": records of the kernel's log were overwritten before they were read.
std::string lostLine(std::uint64_t count);

/// "0 unheard": the kernel cannot be asked to tell of all groups (inotify's limits), and some are
/// looked at from time to time. Told once.
std::string unheardLine();

/// "0 kmsg SEQUENCE|closed": number of the newest record of the kernel's log that is not told of;
/// or that it cannot be read. The first line.
std::string kmsgLine(const KmsgReader& reader);

}  // namespace teu::watch
