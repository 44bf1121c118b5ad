#include "azexporter/db/postgres_facts.h"

#include <charconv>

namespace azexporter::db {
namespace {

// The only sender of which it holds.
template <class Predicate>
const PostgresSender* Only(const std::vector<PostgresSender>& senders, Predicate holds) {
  const PostgresSender* found = nullptr;
  for (const PostgresSender& sender : senders) {
    if (!holds(sender)) continue;
    if (found != nullptr) return nullptr;
    found = &sender;
  }
  return found;
}

}  // namespace

base::Result<Lsn> ParseLsn(const std::string& text) {
  const std::size_t slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  const auto parse = [](const char* begin, const char* end, std::uint32_t& value) {
    const auto [ptr, error] = std::from_chars(begin, end, value, 16);
    return error == std::errc() && ptr == end && begin != end;
  };
  if (slash == std::string::npos || !parse(text.data(), text.data() + slash, high) ||
      !parse(text.data() + slash + 1, text.data() + text.size(), low)) {
    return base::BadData("not a log position: \"" + text + "\"");
  }
  return (static_cast<Lsn>(high) << 32) | low;
}

const PostgresSender* SenderTo(const PostgresFacts& standby, const PostgresFacts& upstream) {
  if (!standby.slot_name.empty()) {
    const PostgresSender* by_slot = Only(upstream.senders, [&](const PostgresSender& sender) {
      return sender.slot_name == standby.slot_name;
    });
    if (by_slot != nullptr) return by_slot;
  }
  // A standby whose stream is cut tells no name any more; its row may bear that of the instance.
  for (const std::string& name : {standby.stream_name, standby.instance}) {
    const PostgresSender* by_name = Only(upstream.senders, [&](const PostgresSender& sender) {
      return sender.application_name == name;
    });
    if (by_name != nullptr) return by_name;
  }
  return nullptr;
}

}  // namespace azexporter::db
