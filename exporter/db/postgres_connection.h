#pragma once

// A connection to a PostgreSQL server whose every wait has a deadline. Private to `db`.
//
// Thread safety: one thread at a time.

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/db/login.h"
#include "azexporter/db/postgres_facts.h"
#include "deadline.h"

namespace azexporter::db {

// The rows that one statement gave.
class PostgresRows {
 public:
  explicit PostgresRows(PGresult* result) : result_(result) {}

  int count() const { return PQntuples(result_.get()); }
  // Columns are counted from 0. A NULL is nullopt, or the empty text.
  std::string Text(int row, int column) const;
  bool Flag(int row, int column) const { return Text(row, column) == "t"; }
  std::optional<double> Number(int row, int column) const;
  std::optional<Lsn> Position(int row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

class PostgresConnection {
 public:
  // What is not empty of `login` wins over the connection string. kBadData where the server asked
  // for a password and then let nobody in. Resolving the name of a host has no deadline.
  static base::Result<std::unique_ptr<PostgresConnection>> Open(const std::string& dsn,
                                                                const Login& login,
                                                                const Deadline& deadline);
  // Whether the connection was whole when it was last used.
  bool usable() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  // The rows of each of the statements, which are sent at once, as one transaction. After an error
  // the connection is not to be used again.
  base::Result<std::vector<PostgresRows>> Query(const std::string& statements,
                                                const Deadline& deadline);

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit PostgresConnection(PGconn* connection) : connection_(connection) {}

  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace azexporter::db
