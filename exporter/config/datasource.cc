// The key `datasource`: a server of Prometheus's HTTP API that rules ask.

#include "decode.h"

namespace azexporter::config {

Result<void> ReadDatasource(YamlMap& root, std::optional<Datasource>& out) {
  const YamlNode* node = root.Find("datasource");
  return ReadSection(root, "datasource", [&](YamlMap& map) -> Result<void> {
    out.emplace();
    AZX_RETURN_IF_ERROR(ReadEndpoint(*node, map, out->endpoint));
    if (out->endpoint.url.find_first_of("?#") != std::string::npos) {
      return Fail(map.Find("url")->ErrorHere("the URL is what stands before /api/v1, got \"" +
                                             out->endpoint.url + "\""));
    }
    return ReadDuration(map, "timeout", 10, out->timeout_ms);
  });
}

}  // namespace azexporter::config
