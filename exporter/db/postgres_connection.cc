#include "postgres_connection.h"

#include <poll.h>

#include "azexporter/base/float_format.h"
#include "azexporter/base/text.h"

namespace azexporter::db {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;

// libpq ends its messages with a line feed and spreads them over several lines.
std::string OneLine(const char* message) {
  std::string text(base::Trim(message));
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

}  // namespace

std::string PostgresRows::Text(int row, int column) const {
  return PQgetvalue(result_.get(), row, column);
}

std::optional<double> PostgresRows::Number(int row, int column) const {
  const auto number = base::ParseFloat(Text(row, column));
  return number ? std::optional(*number) : std::nullopt;
}

std::optional<Lsn> PostgresRows::Position(int row, int column) const {
  const auto lsn = ParseLsn(Text(row, column));
  return lsn ? std::optional(*lsn) : std::nullopt;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const std::string& dsn,
                                                                     const Login& login,
                                                                     const Deadline& deadline) {
  // An empty value is as good as none.
  const char* const keywords[] = {"dbname",           "user",    "password",
                                  "application_name", "options", nullptr};
  const char* const values[] = {dsn.c_str(),
                                login.user.c_str(),
                                login.password.c_str(),
                                "azexporter",
                                "-c statement_timeout=5000 -c lock_timeout=1000",
                                nullptr};
  std::unique_ptr<PostgresConnection> opened(
      new PostgresConnection(PQconnectStartParams(keywords, values, /*expand_dbname=*/1)));
  PGconn* connection = opened->connection_.get();
  if (connection == nullptr) return Fail(ErrorCode::kInternal, "out of memory");
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED || PQstatus(connection) == CONNECTION_BAD) {
      const bool refused =
          PQconnectionUsedPassword(connection) != 0 || PQconnectionNeedsPassword(connection) != 0;
      return Fail(refused ? ErrorCode::kBadData : ErrorCode::kUnavailable,
                  OneLine(PQerrorMessage(connection)));
    }
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!deadline.WaitFor(PQsocket(connection), events)) {
      return Fail(ErrorCode::kTimeout, "connect timed out");
    }
    status = PQconnectPoll(connection);
  }
  return opened;
}

Result<std::vector<PostgresRows>> PostgresConnection::Query(const std::string& statements,
                                                            const Deadline& deadline) {
  PGconn* connection = connection_.get();
  const auto failed = [connection] {
    return Fail(ErrorCode::kUnavailable, OneLine(PQerrorMessage(connection)));
  };
  if (PQsendQuery(connection, statements.c_str()) == 0) return failed();
  std::vector<PostgresRows> all;
  for (;;) {
    while (PQisBusy(connection) != 0) {
      if (!deadline.WaitFor(PQsocket(connection), POLLIN)) {
        return Fail(ErrorCode::kTimeout, "query timed out");
      }
      if (PQconsumeInput(connection) == 0) return failed();
    }
    PGresult* result = PQgetResult(connection);
    if (result == nullptr) return all;
    all.emplace_back(result);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) return failed();
  }
}

}  // namespace azexporter::db
