#include "simulator/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "azexporter/base/file.h"

namespace azexporter::simulator {

using base::Result;

namespace {

constexpr std::string_view kHeadersSuffix = ".headers";

enum class Form { kJson, kProtobuf, kTable, kPartialMetadata, kAggregated };

// What an Accept header or a Content-Type asks for or says, one media range at a time.
std::optional<Form> FormOfRange(std::string_view range) {
  const auto has = [&](std::string_view part) { return range.find(part) != std::string::npos; };
  if (has("protobuf")) return Form::kProtobuf;
  if (has("as=Table")) return Form::kTable;
  if (has("as=PartialObjectMetadata")) return Form::kPartialMetadata;
  if (has("as=APIGroupDiscoveryList")) return Form::kAggregated;
  if (has("json") || has("*/*") || range.empty()) return Form::kJson;
  return std::nullopt;
}

// A Table calls itself application/json too: what it is is told by its kind.
Form FormOf(const Recording& recording) {
  const Form form = FormOfRange(recording.content_type).value_or(Form::kJson);
  const std::string_view start = std::string_view(recording.body).substr(0, 100);
  if (start.find("\"kind\":\"Table\"") != std::string::npos) return Form::kTable;
  if (start.find("\"kind\":\"PartialObjectMetadataList\"") != std::string::npos) {
    return Form::kPartialMetadata;
  }
  return form;
}

bool IsCompressed(const Recording& recording) {
  return std::any_of(recording.headers.begin(), recording.headers.end(),
                     [](const auto& header) { return header.first == "Content-Encoding"; });
}

// Takes one line, with either end, off the front.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The headers file; an error says why it cannot be replayed.
Result<Recording> ParseHeaders(std::string_view text) {
  Recording recording;
  std::string_view line = TakeLine(text);
  if (line.starts_with("GET ")) {
    recording.target = line.substr(4);
    line = TakeLine(text);
  }
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (!line.starts_with(kVersion)) {
    return base::BadData(
        fmt::format("recorded in {}, HTTP/1.1 is spoken here", line.substr(0, line.find(' '))));
  }
  line.remove_prefix(kVersion.size());
  std::from_chars(line.data(), line.data() + line.size(), recording.status);
  while (!(line = TakeLine(text)).empty()) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return base::BadData("a header without a value");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (name == "Content-Type") {
      recording.content_type = value;
    } else if (name == "Transfer-Encoding") {
      recording.chunked = value == "chunked";
    } else if (name != "Content-Length" && name != "Date") {
      recording.headers.emplace_back(name, value);
    }
  }
  return recording;
}

Result<Recording> LoadOne(const std::filesystem::path& headers_file) {
  AZX_ASSIGN_OR_RETURN(const std::string headers, base::ReadFile(headers_file.string()));
  AZX_ASSIGN_OR_RETURN(Recording recording, ParseHeaders(headers));
  std::filesystem::path body_file = headers_file;
  body_file.replace_extension();
  recording.name = body_file.filename().string();
  AZX_ASSIGN_OR_RETURN(recording.body, base::ReadFile(body_file.string()));
  return recording;
}

}  // namespace

Result<Recordings> Recordings::Load(const std::string& folder) {
  Recordings out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kHeadersSuffix)) continue;
    auto recording = LoadOne(entry.path());
    if (!recording) {
      out.skipped_[file] = recording.error().message();
      continue;
    }
    std::string name = recording->name;
    out.all_.emplace(std::move(name), std::move(*recording));
  }
  if (error) {
    return base::Fail(base::ErrorCode::kUnavailable,
                      fmt::format("read recordings in {}: {}", folder, error.message()));
  }
  for (const auto& [name, recording] : out.all_) {
    if (!recording.target.empty()) out.by_target_[recording.target].push_back(&recording);
  }
  for (auto& [target, list] : out.by_target_) {
    std::stable_sort(list.begin(), list.end(), [](const Recording* a, const Recording* b) {
      return a->name.size() < b->name.size();
    });
  }
  return out;
}

const Recording* Recordings::Find(std::string_view name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

const Recording* Recordings::For(const HttpRequest& request) const {
  const auto found = by_target_.find(request.target);
  if (found == by_target_.end()) return nullptr;
  const std::vector<const Recording*>& list = found->second;
  const auto find = [&](Form form, bool compressed) -> const Recording* {
    const auto best = std::find_if(list.begin(), list.end(), [&](const Recording* recording) {
      return recording->status < 400 && FormOf(*recording) == form &&
             IsCompressed(*recording) == compressed;
    });
    return best == list.end() ? nullptr : *best;
  };
  const bool gzip = request.Header("X-Accept-Encoding").find("gzip") != std::string::npos;
  // What nobody asked for is JSON.
  const std::string accept = request.Header("Accept") + ",application/json";
  for (std::string_view rest = accept; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    if (const auto form = FormOfRange(rest.substr(0, comma))) {
      const Recording* compressed = gzip ? find(*form, true) : nullptr;
      const Recording* best = compressed != nullptr ? compressed : find(*form, false);
      if (best != nullptr) return best;
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return list.front();
}

HttpResponse Replay(const Recording& recording) {
  HttpResponse response{.status = recording.status,
                        .content_type = recording.content_type,
                        .headers = recording.headers};
  if (!recording.chunked) {
    response.body = recording.body;
    return response;
  }
  response.stream = [&recording](BodyStream& out) {
    const bool by_line = recording.name.ends_with(".jsonl");
    std::string_view rest = recording.body;
    while (!rest.empty()) {
      const std::size_t end = by_line ? rest.find('\n') : std::string_view::npos;
      const std::string_view chunk = rest.substr(0, end == std::string_view::npos ? end : end + 1);
      if (!out.Write(chunk)) return StreamEnd::kCut;
      rest.remove_prefix(chunk.size());
    }
    return StreamEnd::kComplete;
  };
  return response;
}

}  // namespace azexporter::simulator
