#include "azexporter/model/symbol.h"

#include <cstring>
#include <functional>

namespace azexporter::model {
namespace {

// The fields of an entry are read and written one by one: while the table counts references, others
// read the text.
constexpr std::size_t kHashAt = 0;
constexpr std::size_t kReferencesAt = 4;
constexpr std::size_t kNumberAt = 8;
constexpr std::size_t kSizeAt = 12;
constexpr std::size_t kTextAt = 16;

std::uint32_t Load(const char* entry, std::size_t at) {
  std::uint32_t value;
  std::memcpy(&value, entry + at, sizeof(value));
  return value;
}

void Store(char* entry, std::size_t at, std::uint32_t value) {
  std::memcpy(entry + at, &value, sizeof(value));
}

std::string_view TextOf(const char* entry) { return {entry + kTextAt, Load(entry, kSizeAt)}; }

std::uint32_t HashOf(std::string_view text) {
  return static_cast<std::uint32_t>(base::MixHash(0, std::hash<std::string_view>()(text)));
}

// With the bookkeeping of the allocator.
std::size_t EntryBytes(std::size_t text_size) { return kTextAt + text_size + 16; }

}  // namespace

std::string_view Symbol::text() const {
  return entry_ == nullptr ? std::string_view() : TextOf(entry_);
}

std::uint32_t SymbolTable::NumberOf(std::string_view text, std::uint64_t hash) const {
  return index_.Find(hash, [&](std::uint32_t i) { return TextOf(entries_[i].get()) == text; });
}

Symbol SymbolTable::Find(std::string_view text) const {
  const std::uint32_t number = NumberOf(text, HashOf(text));
  return number == base::HashIndex::kNone ? Symbol() : Symbol(entries_[number].get());
}

Symbol SymbolTable::Intern(std::string_view text) {
  const std::uint32_t hash = HashOf(text);
  std::uint32_t number = NumberOf(text, hash);
  if (number == base::HashIndex::kNone) {
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    auto entry = std::make_unique_for_overwrite<char[]>(kTextAt + text.size());
    Store(entry.get(), kHashAt, hash);
    Store(entry.get(), kReferencesAt, 0);
    Store(entry.get(), kNumberAt, number);
    Store(entry.get(), kSizeAt, static_cast<std::uint32_t>(text.size()));
    std::memcpy(entry.get() + kTextAt, text.data(), text.size());
    entries_[number] = std::move(entry);
    index_.Insert(hash, number);
    text_bytes_ += EntryBytes(text.size());
  }
  char* const entry = entries_[number].get();
  Store(entry, kReferencesAt, Load(entry, kReferencesAt) + 1);
  return Symbol(entry);
}

void SymbolTable::Release(Symbol symbol) {
  const std::uint32_t number = Load(symbol.entry_, kNumberAt);
  char* const entry = entries_[number].get();
  const std::uint32_t left = Load(entry, kReferencesAt) - 1;
  Store(entry, kReferencesAt, left);
  if (left > 0) return;
  index_.Erase(Load(entry, kHashAt), [&](std::uint32_t i) { return i == number; });
  text_bytes_ -= EntryBytes(Load(entry, kSizeAt));
  entries_[number].reset();
  free_.push_back(number);
}

}  // namespace azexporter::model
