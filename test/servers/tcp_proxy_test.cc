// The network that can fail: bytes pass, stand still, arrive late, are lost.

#include "servers/tcp_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace azexporter::servers {
namespace {

constexpr int kSoonMs = 5'000;
// Long enough for what would arrive on loopback.
constexpr int kNeverMs = 100;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Sends back what it gets, to one client after the other.
class EchoServer {
 public:
  EchoServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Run(); });
  }
  ~EchoServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }

 private:
  void Run() const {
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(client)) {
      char bytes[4096];
      for (ssize_t got = 0; (got = ::recv(client, bytes, sizeof bytes, 0)) > 0;) {
        if (::send(client, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
      }
    }
  }

  int listener_;
  int port_ = 0;
  std::jthread thread_;
};

class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = Loopback(port);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(fd_); }

  bool connected() const { return connected_; }
  void Send(const std::string& text) const {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What arrives within the time, up to `size` bytes; "closed" when the other side closed.
  std::string Receive(std::size_t size, int timeout_ms) const {
    std::string text;
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    while (text.size() < size && ::poll(&waiting, 1, timeout_ms) > 0) {
      char bytes[4096];
      const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return "closed";
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int fd_;
  bool connected_ = false;
};

TEST(TcpProxyTest, PassesEverythingOn) {
  const EchoServer server;
  const auto proxy = TcpProxy::Start(server.port());
  ASSERT_TRUE(proxy);
  const Client client((*proxy)->port());
  std::string big(1'000'000, 'x');
  std::jthread sender([&] { client.Send(big); });
  EXPECT_EQ(client.Receive(big.size(), kSoonMs), big);
}

TEST(TcpProxyTest, StallsAsAPartitionDoesAndDeliversAfterwards) {
  const EchoServer server;
  const auto proxy = TcpProxy::Start(server.port());
  ASSERT_TRUE(proxy);
  const Client client((*proxy)->port());
  client.Send("a");
  EXPECT_EQ(client.Receive(1, kSoonMs), "a");
  (*proxy)->Stall();
  client.Send("b");
  EXPECT_EQ(client.Receive(1, kNeverMs), "");
  const Client late((*proxy)->port());
  EXPECT_TRUE(late.connected()) << "nobody refuses: nobody answers";
  (*proxy)->Resume();
  EXPECT_EQ(client.Receive(1, kSoonMs), "b");
}

TEST(TcpProxyTest, CutsAndTurnsToAnotherServer) {
  const EchoServer server;
  const EchoServer other;
  const auto proxy = TcpProxy::Start(server.port());
  ASSERT_TRUE(proxy);
  const Client client((*proxy)->port());
  client.Send("a");
  EXPECT_EQ(client.Receive(1, kSoonMs), "a");
  (*proxy)->Cut();
  EXPECT_EQ(client.Receive(1, kSoonMs), "closed");
  (*proxy)->SetTarget(other.port());
  const Client again((*proxy)->port());
  again.Send("b");
  EXPECT_EQ(again.Receive(1, kSoonMs), "b");
}

TEST(TcpProxyTest, AServerThatIsNotThereClosesTheConnection) {
  const auto proxy = TcpProxy::Start(1);
  ASSERT_TRUE(proxy);
  EXPECT_EQ(Client((*proxy)->port()).Receive(1, kSoonMs), "closed");
}

}  // namespace
}  // namespace azexporter::servers
