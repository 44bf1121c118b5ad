#include "redis_connection.h"

#include <hiredis/hiredis.h>

#include <utility>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"

namespace azexporter::db {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;

struct ReaderFree {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct ReplyFree {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

std::string Encode(const std::vector<std::string>& command) {
  std::string out = "*" + std::to_string(command.size()) + "\r\n";
  for (const std::string& word : command) {
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return out;
}

RedisReply ReplyOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return {false, std::to_string(reply.integer)};
  std::string text = reply.str == nullptr ? "" : std::string(reply.str, reply.len);
  return {reply.type == REDIS_REPLY_ERROR, std::move(text)};
}

// nullopt where nothing says how to log in.
Result<std::optional<Login>> LoginOf(const RedisCluster& cluster, const Deadline& deadline) {
  if (cluster.login != nullptr) return cluster.login->Get(deadline.remaining_ms(), deadline.stop());
  if (cluster.password_file.empty()) return std::nullopt;
  AZX_ASSIGN_OR_RETURN(const std::string password, base::ReadFile(cluster.password_file));
  return Login{.user = "", .password = std::string(base::Trim(password, "\r\n"))};
}

}  // namespace

struct RedisConnection::Impl {
  std::unique_ptr<RedisSocket> socket;
  std::unique_ptr<redisReader, ReaderFree> reader{redisReaderCreate()};
};

RedisConnection::RedisConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisConnection::~RedisConnection() = default;

Result<std::unique_ptr<RedisConnection>> RedisConnection::Open(const RedisCluster& cluster,
                                                               const std::string& address,
                                                               const Deadline& deadline) {
  AZX_ASSIGN_OR_RETURN(const std::optional<Login> login, LoginOf(cluster, deadline));
  auto impl = std::make_unique<Impl>();
  AZX_ASSIGN_OR_RETURN(impl->socket, RedisSocket::Connect(address, cluster.tls, deadline));
  std::unique_ptr<RedisConnection> connection(new RedisConnection(std::move(impl)));
  if (!login) return connection;
  Result<void> let_in = connection->LogIn(cluster, *login, deadline);
  if (!let_in && let_in.error().code() == ErrorCode::kBadData && cluster.login != nullptr) {
    AZX_ASSIGN_OR_RETURN(const Login newer,
                         cluster.login->Renew(*login, deadline.remaining_ms(), deadline.stop()));
    if (newer != *login) let_in = connection->LogIn(cluster, newer, deadline);
  }
  if (!let_in) return Fail(let_in.error());
  return connection;
}

Result<void> RedisConnection::LogIn(const RedisCluster& cluster, const Login& login,
                                    const Deadline& deadline) {
  std::vector<std::string> command = {"AUTH"};
  const std::string& user = login.user.empty() ? cluster.username : login.user;
  if (!user.empty()) command.push_back(user);
  command.push_back(login.password);
  AZX_ASSIGN_OR_RETURN(const std::vector<RedisReply> replies, Ask({command}, deadline));
  // Redis never repeats what it was given.
  if (replies[0].error) return Fail(ErrorCode::kBadData, replies[0].text);
  return {};
}

Result<std::vector<RedisReply>> RedisConnection::Ask(
    const std::vector<std::vector<std::string>>& commands, const Deadline& deadline) {
  std::string bytes;
  for (const auto& command : commands) bytes += Encode(command);
  AZX_RETURN_IF_ERROR(impl_->socket->Write(bytes, deadline));
  std::vector<RedisReply> replies;
  while (replies.size() < commands.size()) {
    void* found = nullptr;
    if (redisReaderGetReply(impl_->reader.get(), &found) != REDIS_OK) {
      return Fail(ErrorCode::kUnavailable,
                  std::string("not a Redis server: ") + impl_->reader->errstr);
    }
    if (found != nullptr) {
      const std::unique_ptr<redisReply, ReplyFree> reply(static_cast<redisReply*>(found));
      replies.push_back(ReplyOf(*reply));
      continue;
    }
    AZX_ASSIGN_OR_RETURN(const std::string more, impl_->socket->Read(deadline));
    redisReaderFeed(impl_->reader.get(), more.data(), more.size());
  }
  return replies;
}

}  // namespace azexporter::db
