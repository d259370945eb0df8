#include "union/session.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "union/fuse_abi.h"

namespace teu::unionfs {
namespace {

/// The INIT answer that libfuse writes does not say all that we can do.
struct Negotiation {
  FileSystem* files = nullptr;
  std::uint64_t request = 0;  ///< that the answer to INIT belongs to
  bool offersKill = false;
};
Negotiation negotiation;

}  // namespace

void readOffer(const char* buffer, std::size_t size) {
  if (size < sizeof(fuse_in_header) + sizeof(fuse_init_in)) return;
  fuse_in_header header;
  std::memcpy(&header, buffer, sizeof header);
  if (header.opcode != FUSE_INIT) return;
  fuse_init_in offer;
  std::memcpy(&offer, buffer + sizeof header, sizeof offer);
  negotiation.request = header.unique;
  negotiation.offersKill = (offer.flags & abi::kInitKillPrivileges2) != 0;
  if ((offer.flags & FUSE_INIT_EXT) == 0) return;
  negotiation.files->canPassThrough = (offer.flags2 & abi::kInitPassthrough) != 0;
  negotiation.files->canExpire = (offer.flags2 & abi::kInitExpireOnly) != 0;
}

namespace {

/// `parts` are the header and the body of libfuse's answer.
void completeAnswer(const iovec* parts, int count) {
  fuse_out_header header;
  if (count < 2 || parts[0].iov_len != sizeof header) return;
  std::memcpy(&header, parts[0].iov_base, sizeof header);
  if (header.unique != negotiation.request || parts[1].iov_len < sizeof(fuse_init_out)) return;
  negotiation.request = 0;
  auto* body = static_cast<fuse_init_out*>(parts[1].iov_base);
  if (negotiation.offersKill) body->flags |= abi::kInitKillPrivileges2;
  if (!negotiation.files->canPassThrough) return;
  body->flags |= FUSE_INIT_EXT;
  body->flags2 |= abi::kInitPassthrough;
  body->unused[0] = 1;  // max_stack_depth: branches are on file systems that are no stacked ones
}

ssize_t readRequest(int fd, void* buffer, std::size_t size, void*) {
  return read(fd, buffer, size);
}

ssize_t writeAnswer(int fd, iovec* parts, int count, void*) {
  if (negotiation.request != 0) {
    completeAnswer(parts, count);
  }
  return writev(fd, parts, count);
}

Status attach(const MountOptions& options, int device, bool readOnly) {
  const std::string data = "fd=" + std::to_string(device) +
                           ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
  if (mount(options.source.c_str(), options.mountPoint.c_str(), "fuse.aufs",
            readOnly ? MS_RDONLY : 0, data.c_str()) < 0) {
    return lastFailure("mount", "mount");
  }
  return {};
}

}  // namespace

Result<fuse_session*> mountUnion(const MountOptions& options, FileSystem& files) {
  Result<UniqueFd> device = opened(open("/dev/fuse", O_RDWR | O_CLOEXEC), "open");
  if (!device) return device.status().during("open /dev/fuse");
  const int fd = device.value().release();
  files.device = fd;
  negotiation.files = &files;
  char name[] = "teu-union";
  char* arguments[] = {name, nullptr};
  fuse_args given = FUSE_ARGS_INIT(1, arguments);
  const fuse_lowlevel_ops& operations = FileSystem::operations();
  fuse_session* session = fuse_session_new(&given, &operations, sizeof operations, &files);
  if (session == nullptr) return refusal(ENOMEM, "fuse_session_new");
  static const fuse_custom_io io{.writev = writeAnswer,
                                 .read = readRequest,
                                 .splice_receive = nullptr,
                                 .splice_send = nullptr};
  if (fuse_session_custom_io(session, &io, fd) != 0) return refusal(EIO, "fuse_session_custom_io");
  const bool readOnly = !files.tree.writableFor(files.tree.branches().size());
  if (Status attached = attach(options, fd, readOnly); !attached) return attached;
  return Result<fuse_session*>(std::move(session));
}

}  // namespace teu::unionfs
