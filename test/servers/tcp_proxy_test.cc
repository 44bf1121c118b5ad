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

#include "servers/loopback.h"

namespace azexporter::servers {
namespace {

constexpr int kSoonMs = 5'000;
// Long enough for what would arrive on loopback.
constexpr int kNeverMs = 100;

// Sends back what it gets, to one client after the other.
class EchoServer {
 public:
  EchoServer() : listener_(ListenOnLoopback()) {
    EXPECT_TRUE(listener_.fd.valid());
    thread_ = std::jthread([this] { Run(); });
  }
  ~EchoServer() {
    ::shutdown(listener_.fd.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return listener_.port; }

 private:
  void Run() const {
    for (int client = 0; (client = ::accept(listener_.fd.get(), nullptr, nullptr)) >= 0;
         ::close(client)) {
      char bytes[4096];
      for (ssize_t got = 0; (got = ::recv(client, bytes, sizeof bytes, 0)) > 0;) {
        if (::send(client, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
      }
    }
  }

  const Listener listener_;
  std::jthread thread_;
};

class Client {
 public:
  explicit Client(int port) : fd_(ConnectToLoopback(port)) {}
  // From another address than 127.0.0.1.
  Client(int port, const char* source) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = ::inet_addr(source);
    sockaddr_in to = from;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }

  bool connected() const { return fd_.valid(); }
  void Send(const std::string& text) const {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What arrives within the time, up to `size` bytes; "closed" when the other side closed.
  std::string Receive(std::size_t size, int timeout_ms) const {
    std::string text;
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (text.size() < size && ::poll(&waiting, 1, timeout_ms) > 0) {
      char bytes[4096];
      const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return "closed";
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  const Fd fd_;
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

TEST(TcpProxyTest, StallsWhatComesFromOneAddress) {
  const EchoServer server;
  const auto proxy = TcpProxy::Start(server.port());
  ASSERT_TRUE(proxy);
  (*proxy)->StallFrom("127.0.0.9");
  {
    const Client other((*proxy)->port());
    other.Send("a");
    EXPECT_EQ(other.Receive(1, kSoonMs), "a");
  }
  const Client client((*proxy)->port(), "127.0.0.9");
  client.Send("b");
  EXPECT_EQ(client.Receive(1, kNeverMs), "");
  (*proxy)->ResumeFrom("127.0.0.9");
  EXPECT_EQ(client.Receive(1, kSoonMs), "b");
  (*proxy)->StallFrom("127.0.0.9");
  client.Send("c");
  EXPECT_EQ(client.Receive(1, kNeverMs), "");
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
