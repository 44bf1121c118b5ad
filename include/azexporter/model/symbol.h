#pragma once

// Interned texts: within one table each text is held once, so that two Symbols are equal exactly
// when their texts are, and a comparison or a hash costs what it costs for a pointer.
//
// Thread safety: a Symbol is a value, readable from many threads; a SymbolTable is
// thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "azexporter/base/hash_index.h"

namespace azexporter::model {

// Valid as long as its table holds a reference to it.
class Symbol {
 public:
  // Of no text: equal to no symbol of any table, text() is "".
  Symbol() = default;

  std::string_view text() const;
  explicit operator bool() const { return entry_ != nullptr; }
  // By identity, not by text: differs from run to run.
  std::uint64_t IdentityHash() const { return reinterpret_cast<std::uintptr_t>(entry_) >> 3; }

  friend bool operator==(const Symbol&, const Symbol&) = default;

 private:
  friend class SymbolTable;
  explicit Symbol(const char* entry) : entry_(entry) {}

  const char* entry_ = nullptr;  // see SymbolTable
};

class SymbolTable {
 public:
  SymbolTable() = default;
  SymbolTable(const SymbolTable&) = delete;
  SymbolTable& operator=(const SymbolTable&) = delete;

  // The symbol of `text`; Symbol() where there is none.
  Symbol Find(std::string_view text) const;
  // The symbol of `text`, made where there is none, and one reference to it.
  Symbol Intern(std::string_view text);
  // Gives a reference back; the last one takes the symbol away.
  void Release(Symbol symbol);

  std::size_t size() const { return index_.size(); }
  // What the table holds in memory.
  std::size_t bytes() const { return text_bytes_ + index_.bytes() + entries_.capacity() * 8; }

 private:
  std::uint32_t NumberOf(std::string_view text, std::uint64_t hash) const;

  // An entry: hash, references, number in entries_, size (4 bytes each), then the text.
  std::vector<std::unique_ptr<char[]>> entries_;
  std::vector<std::uint32_t> free_;  // numbers without an entry
  base::HashIndex index_;
  std::size_t text_bytes_ = 0;
};

}  // namespace azexporter::model
