#pragma once

#include <sys/stat.h>

#include <string>

#include "union/failures.h"

namespace teu::unionfs {

/// Path of what a descriptor is open on, O_PATH ones too, for calls that take only paths.
std::string pathOf(int fd);

/// Gives what `to` is open on the extended attributes of what `from` is open on, which may be
/// O_PATH descriptors: ACLs, capabilities and labels among them. What `to` has already stays.
Status copyAttributes(int from, int to);

/// Takes from `to` the extended attributes that `from` does not have.
Status dropOtherAttributes(int from, int to);

/// Gives it owner, extended attributes, mode and times of `from`.
Status copyMetadata(int from, int to, const struct stat& info);

Status setTimes(int fd, const struct stat& info);

}  // namespace teu::unionfs
