#include "external_url.h"

#include <unistd.h>

#include <array>

#include "azexporter/net/http_client.h"

namespace azexporter::app {

base::Result<std::string> CheckExternalUrl(std::string_view url) {
  const auto bad = [&](const std::string& why) {
    return base::BadData(why + ": \"" + net::RedactUrl(url) + "\"");
  };
  if (!net::IsHttpUrl(url)) return bad("not a http or https URL");
  if (net::RedactUrl(url) != url) return bad("user and password do not belong in here");
  if (url.find_first_of("?# \t\n\"'") != std::string_view::npos) {
    return bad("must be a scheme, a host and a path only");
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::string DefaultExternalUrl(std::string_view listen_url) {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  const std::string host = known ? name.data() : "localhost";
  return "http://" + host + std::string(listen_url.substr(listen_url.rfind(':')));
}

}  // namespace azexporter::app
