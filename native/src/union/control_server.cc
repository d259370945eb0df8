#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <list>
#include <memory>
#include <thread>

#include "sys/files.h"
#include "sys/sockets.h"
#include "union/control.h"

namespace teu::unionfs {
namespace {

/// Longer than a list of 513 branches whose paths are percent-encoded and 4096 bytes long.
constexpr std::size_t kMaxLine = std::size_t{8} << 20;
constexpr std::size_t kMaxClients = 16;
constexpr std::size_t kReadBytes = 16384;

struct Client {
  UniqueFd socket{};
  std::string pending{};
};

/// Requests are few and short; they are worked on one after another.
class Server {
 public:
  Server(UniqueFd listener, FileSystem& files) : listener_(std::move(listener)), control_(files) {}

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> waiting{{.fd = listener_.get(), .events = POLLIN, .revents = 0}};
      for (const Client& client : clients_) {
        waiting.push_back({.fd = client.socket.get(), .events = POLLIN, .revents = 0});
      }
      if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
      std::size_t at = 1;
      for (auto client = clients_.begin(); client != clients_.end(); ++at) {
        const bool ended = waiting[at].revents != 0 && !read(*client);
        client = ended ? clients_.erase(client) : std::next(client);
      }
      if (waiting.front().revents != 0) accept();
    }
  }

 private:
  void accept() {
    Result<UniqueFd> socket = sys::acceptClient(listener_.get());
    if (!socket || clients_.size() >= kMaxClients) return;
    Result<teu::abi::PeerCredentials> peer = sys::peerCredentials(socket.value().get());
    if (!peer || peer.value().uid != 0) return;
    clients_.push_back({.socket = std::move(socket.value())});
  }

  bool read(Client& client) {
    char buffer[kReadBytes];
    Result<std::size_t> got = sys::receiveSome(client.socket.get(), buffer, sizeof buffer);
    if (!got || got.value() == 0) return false;
    client.pending.append(buffer, got.value());
    for (std::size_t end; (end = client.pending.find('\n')) != std::string::npos;) {
      const std::string answer = control_.handle(std::string_view(client.pending).substr(0, end));
      client.pending.erase(0, end + 1);
      if (!send(client.socket.get(), answer)) return false;
    }
    return client.pending.size() <= kMaxLine;
  }

  static bool send(int socket, std::string_view answer) {
    while (!answer.empty()) {
      Result<std::size_t> sent = sys::sendSome(socket, answer.data(), answer.size());
      if (sent) {
        answer.remove_prefix(sent.value());
        continue;
      }
      pollfd waiting{.fd = socket, .events = POLLOUT, .revents = 0};
      constexpr int kPatienceMs = 5000;
      if (sent.error().number != EAGAIN || poll(&waiting, 1, kPatienceMs) <= 0) return false;
    }
    return true;
  }

  UniqueFd listener_;
  Control control_;
  std::list<Client> clients_{};
};

}  // namespace

Status serveControl(const std::string& path, FileSystem& files) {
  // What a killed process has left behind.
  struct stat info;
  if (lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) (void)unlink(path.c_str());
  Result<UniqueFd> listener = sys::listenAt(path.c_str());
  if (!listener) return listener.status().during("listen on the control socket");
  auto server = std::make_shared<Server>(std::move(listener.value()), files);
  std::thread([server] { server->run(); }).detach();
  return {};
}

}  // namespace teu::unionfs
