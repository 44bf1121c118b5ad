#pragma once

// What PostgreSQL is asked, and its answers read into facts. Private to `db`.
//
// Thread safety: one thread at a time for a connection.

#include "postgres_connection.h"

namespace azexporter::db {

// Of every instance, first: who it is, and where it writes.
base::Result<void> AskIdentity(PostgresConnection& connection, const Deadline& deadline,
                               PostgresFacts& facts);
// Then the streams it sends and its slots; of a standby before that its positions and what it
// receives. REQUIRES: AskIdentity succeeded.
base::Result<void> AskDetails(PostgresConnection& connection, const Deadline& deadline,
                              PostgresFacts& facts);

}  // namespace azexporter::db
