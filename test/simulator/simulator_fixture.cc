#include "simulator/simulator_fixture.h"

#include <httplib.h>

namespace azexporter::simulator {

std::vector<nlohmann::json> Answer::events() const {
  std::vector<nlohmann::json> out;
  std::istringstream in(body);
  for (std::string line; std::getline(in, line);) {
    out.push_back(nlohmann::json::parse(line, nullptr, false));
  }
  return out;
}

Answer Fetch(const ApiServer& server, const std::string& method, const std::string& target,
             const std::string& body, const Headers& headers) {
  httplib::Client client("127.0.0.1", server.port());
  client.set_read_timeout(30);
  httplib::Request request;
  request.method = method;
  request.path = target;
  request.body = body;
  request.headers = {{"Accept", headers.accept},
                     {"User-Agent", headers.user_agent},
                     {"Content-Type", headers.content_type}};
  if (!headers.token.empty()) request.set_header("Authorization", "Bearer " + headers.token);
  Answer answer;
  request.response_handler = [&](const httplib::Response& response) {
    answer.status = response.status;
    answer.content_type = response.get_header_value("Content-Type");
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    answer.body.append(data, size);
    return true;
  };
  answer.ended_properly = static_cast<bool>(client.send(request));
  return answer;
}

std::filesystem::path RecordingsFolder() {
  const char* folder = std::getenv("AZX_RECORDINGS");
  return folder != nullptr ? std::filesystem::path(folder)
                           : std::filesystem::path(AZX_SOURCE_DIR) / "../shared/kubernetes";
}

bool HaveRecordings() { return std::filesystem::exists(RecordingsFolder() / "nodes.list.json"); }

std::string ReadRecording(const std::string& name) {
  std::ifstream in(RecordingsFolder() / name, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace azexporter::simulator
