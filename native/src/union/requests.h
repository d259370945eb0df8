// What the kernel may ask, one function each; FileSystem::operations lists them.
#pragma once

#include "union/filesystem.h"

namespace teu::unionfs::requests {

// streams.cc
void openDirectory(fuse_req_t, fuse_ino_t, fuse_file_info*);
void readDirectory(fuse_req_t, fuse_ino_t, std::size_t, off_t, fuse_file_info*);
void readDirectoryPlus(fuse_req_t, fuse_ino_t, std::size_t, off_t, fuse_file_info*);
void closeDirectory(fuse_req_t, fuse_ino_t, fuse_file_info*);

// attributes.cc
void getAttribute(fuse_req_t, fuse_ino_t, const char*, std::size_t);
void listAttributes(fuse_req_t, fuse_ino_t, std::size_t);
void setAttribute(fuse_req_t, fuse_ino_t, const char*, const char*, std::size_t, int);
void removeAttribute(fuse_req_t, fuse_ino_t, const char*);

// file_requests.cc
void openFile(fuse_req_t, fuse_ino_t, fuse_file_info*);
void createFile(fuse_req_t, fuse_ino_t, const char*, mode_t, fuse_file_info*);
void closeFile(fuse_req_t, fuse_ino_t, fuse_file_info*);
void readFile(fuse_req_t, fuse_ino_t, std::size_t, off_t, fuse_file_info*);
void writeFile(fuse_req_t, fuse_ino_t, const char*, std::size_t, off_t, fuse_file_info*);
void syncFile(fuse_req_t, fuse_ino_t, int, fuse_file_info*);
void syncDirectory(fuse_req_t, fuse_ino_t, int, fuse_file_info*);
void allocate(fuse_req_t, fuse_ino_t, int, off_t, off_t, fuse_file_info*);
void seek(fuse_req_t, fuse_ino_t, off_t, int, fuse_file_info*);
void copyRange(fuse_req_t, fuse_ino_t, off_t, fuse_file_info*, fuse_ino_t, off_t, fuse_file_info*,
               std::size_t, int);

}  // namespace teu::unionfs::requests
