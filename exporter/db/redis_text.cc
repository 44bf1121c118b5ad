#include "redis_text.h"

#include <charconv>

#include "azexporter/base/text.h"

namespace azexporter::db {
namespace {

using base::Result;

// 0 where it is none.
template <class Number = std::int64_t>
Number NumberOf(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Calls `take` with each KEY:VALUE.
template <class Take>
void EachField(std::string_view text, Take take) {
  for (const std::string_view raw : base::SplitLines(text)) {
    const std::string_view line = base::Trim(raw);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) take(line.substr(0, colon), line.substr(colon + 1));
  }
}

std::vector<std::string_view> Words(std::string_view line, char separator) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(separator), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

void ReadFlags(std::string_view flags, RedisPeer& peer) {
  for (const std::string_view flag : Words(flags, ',')) {
    if (flag == "myself") peer.myself = true;
    if (flag == "master") peer.master = true;
    if (flag == "fail?") peer.suspected = true;
    if (flag == "fail") peer.failed = true;
    if (flag == "handshake") peer.joining = true;
  }
}

// "0-5460" or "7"; "[93-<-ID]" is a slot on its way, which its present owner lists, too.
void ReadSlots(std::string_view word, RedisPeer& peer) {
  if (word.front() == '[') return;
  const std::size_t dash = word.find('-');
  const int first = NumberOf<int>(word.substr(0, dash));
  const int last = dash == std::string_view::npos ? first : NumberOf<int>(word.substr(dash + 1));
  peer.slots.push_back({first, last});
}

// "10.0.0.7:6379@16379,redis-0" -> "10.0.0.7:6379"; "" for a node without an address.
std::string AddressOf(std::string_view endpoint) {
  endpoint = endpoint.substr(0, endpoint.find_first_of("@,"));
  if (endpoint.empty() || endpoint.front() == ':' || endpoint.ends_with(":0")) return "";
  // An IPv6 address comes without brackets.
  const std::size_t colon = endpoint.rfind(':');
  if (endpoint.find(':') == colon) return std::string(endpoint);
  return "[" + std::string(endpoint.substr(0, colon)) + "]" + std::string(endpoint.substr(colon));
}

}  // namespace

int RedisPeer::slot_count() const {
  int count = 0;
  for (const SlotRange& range : slots) count += range.size();
  return count;
}

const RedisPeer* RedisView::Myself() const {
  for (const RedisPeer& peer : peers) {
    if (peer.myself) return &peer;
  }
  return nullptr;
}

void ReadInfo(std::string_view text, RedisFacts& facts) {
  std::optional<std::int64_t> processed;  // a text may be another section
  EachField(text, [&](std::string_view key, std::string_view value) {
    if (key == "redis_version") facts.version = value;
    if (key == "valkey_version") facts.version = value;  // after redis_version, which it imitates
    if (key == "cluster_enabled") facts.cluster_enabled = value == "1";
    if (key == "role") facts.master = value == "master";
    if (key == "master_replid") facts.replid = value;
    if (key == "master_repl_offset") facts.offset = NumberOf(value);
    if (key == "slave_repl_offset") processed = NumberOf(value);
    if (key == "connected_slaves") facts.connected_replicas = NumberOf(value);
    if (key == "master_host") facts.master_host = value;
    if (key == "master_port") facts.master_port = NumberOf<int>(value);
    if (key == "master_link_status") facts.link_up = value == "up";
    if (key == "master_sync_in_progress") facts.syncing = value == "1";
    if (key == "master_last_io_seconds_ago" && value != "-1") {
      facts.last_io_seconds = NumberOf(value);
    }
  });
  if (processed && !facts.master) facts.offset = *processed;
}

void ReadClusterInfo(std::string_view text, RedisView& view) {
  EachField(text, [&](std::string_view key, std::string_view value) {
    if (key == "cluster_state") view.ok = value == "ok";
    if (key == "cluster_slots_assigned") view.slots_assigned = NumberOf(value);
    if (key == "cluster_slots_ok") view.slots_ok = NumberOf(value);
    if (key == "cluster_slots_pfail") view.slots_pfail = NumberOf(value);
    if (key == "cluster_slots_fail") view.slots_fail = NumberOf(value);
    if (key == "cluster_known_nodes") view.known_nodes = NumberOf(value);
    if (key == "cluster_size") view.size = NumberOf(value);
    if (key == "cluster_current_epoch") view.current_epoch = NumberOf(value);
    if (key == "cluster_my_epoch") view.my_epoch = NumberOf(value);
    if (key == "cluster_stats_messages_sent") view.messages_sent = NumberOf(value);
    if (key == "cluster_stats_messages_received") view.messages_received = NumberOf(value);
  });
}

Result<std::vector<RedisPeer>> ReadClusterNodes(std::string_view text, std::string_view asked) {
  std::vector<RedisPeer> peers;
  for (const std::string_view raw : base::SplitLines(text)) {
    const std::string_view line = base::Trim(raw);
    if (line.empty()) continue;
    // ID ADDRESS FLAGS MASTER PING PONG EPOCH LINK SLOT...
    const std::vector<std::string_view> words = Words(line, ' ');
    constexpr std::size_t kFields = 8;
    if (words.size() < kFields) {
      return base::BadData("CLUSTER NODES: not a node: \"" + std::string(line) + "\"");
    }
    RedisPeer peer;
    peer.id = words[0];
    peer.address = AddressOf(words[1]);
    ReadFlags(words[2], peer);
    if (peer.myself && peer.address.empty()) peer.address = asked;
    if (words[3] != "-") peer.master_id = words[3];
    peer.connected = peer.myself || words[7] == "connected";
    for (std::size_t i = kFields; i < words.size(); ++i) ReadSlots(words[i], peer);
    peers.push_back(std::move(peer));
  }
  return peers;
}

}  // namespace azexporter::db
