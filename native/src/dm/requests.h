// What the driver can ask for, in lines as conversation/words.h has them. Volumes are numbers;
// those of which a verb of the third group speaks are active.
//
//   probe                        whether the kernel has thin pools
//   status                       -> transaction, used and all blocks of metadata, used and all
//   blocks of
//                                data, bytes of a block, mode, queueing, needing a check
//                                (pool_text.h)
//   make-pool DATA META LOW      of two files in DIRECTORY of so many bytes; event at LOW free
//   blocks drop-pool
//
//   create ID
//   snapshot ORIGIN ID
//   delete ID
//   transaction FROM TO
//   volumes                      -> of each: id, transaction, mapped blocks
//   own ID                       -> blocks that were mapped or copied since the volume was made
//   activate ID BYTES ro|rw
//   deactivate ID                -> 1 if it is gone, 0 if it goes when it is closed
//   active                       -> ids of the volumes that are active
//   opened ID                    -> how often it is open
//
//   measure ID                   -> bytes for files, bytes used, inodes used,
//                                bytes that have a block of the pool
//   settle ID                    has a file system that nobody uses in order and on the disk
//   empty ID                     makes a new file system an empty tree
//   discard ID BYTES             frees blocks also below the pool
//   hold ID ro|rw                -> descriptor of a mount that nobody sees
//   release ID
//   limit ID BYTES               of what the file system holds; it is held
//   unlimit ID
#pragma once

#include <string>
#include <string_view>

#include "conversation/words.h"
#include "dm/pool.h"
#include "dm/volumes.h"

namespace teu::dm {

class Requests {
 public:
  /// @param directory of the files of a pool that is made.
  Requests(const Pool& pool, Volumes& volumes, int directory) noexcept
      : pool_(pool), volumes_(volumes), directory_(directory) {}

  /// Does what a line asks for, and returns the line to answer with. May be called by several
  /// threads at once.
  std::string handle(std::string_view line) const;

 private:
  using Words = conversation::Words;
  using Values = conversation::Values;

  Result<Values> run(const Words& words) const;
  Result<Values> ofPool(std::string_view verb, const Values& numbers) const;
  Result<Values> ofVolume(std::string_view verb, const Values& numbers) const;
  Result<Values> ofFilesystem(std::string_view verb, const Values& numbers) const;
  Result<Values> withMode(std::string_view verb, const Values& numbers, bool readOnly) const;
  Result<Values> status() const;
  Result<Values> listVolumes() const;

  const Pool& pool_;
  Volumes& volumes_;
  const int directory_;
};

}  // namespace teu::dm
