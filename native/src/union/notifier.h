// Tells the kernel what it should no longer believe. The kernel may wait for a lock that the
// process of a request holds, so requests only leave word here, and a thread of its own tells.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace teu::unionfs {

class Notifier {
 public:
  /// Begins to tell, on a descriptor of /dev/fuse.
  void start(int device);

  /// The name is to be looked up again when it is used next.
  void expireLater(std::uint64_t parent, std::string name);
  /// The attributes are to be asked for again.
  void refreshLater(std::uint64_t node);

  /// The same, told at once. Never from a request, and without locks.
  void expire(std::uint64_t parent, const std::string& name) const;
  void refresh(std::uint64_t node) const;
  /// Attributes, and what is cached of a directory's entries or a file's data.
  void forgetContent(std::uint64_t node) const;

 private:
  struct Message {
    std::uint64_t node = 0;
    std::string name{};
  };
  void run();
  void tell(const Message& message) const;
  void add(Message message);
  void invalidate(std::uint64_t node, std::int64_t offset) const;

  int device_ = -1;
  std::mutex mutex_{};
  std::condition_variable added_{};
  std::deque<Message> waiting_{};
};

}  // namespace teu::unionfs
