#pragma once

// Writes JSON into a string, in order, with no tree in between. The writer places the commas.
//
//   JsonWriter json;
//   json.BeginObject().Key("status").String("success").Key("data").BeginArray().EndArray().EndObject();
//   Send(json.Take());
//
// Thread safety: thread-compatible.

#include <cstdint>
#include <string>
#include <string_view>

namespace azexporter::base {

// Appends `text` in quotes, escaped. Bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(std::int64_t value);
  // NaN and infinities have no JSON form and are written as null.
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void BeforeValue();

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace azexporter::base
