#pragma once

// What the printed forms of a check share. Private to `app`.

#include <cstddef>
#include <string>

#include "azexporter/app/check.h"

namespace azexporter::app {

// The worst finding, or what is well.
std::string Headline(const CheckResult& result);
// Alerts that are true, those aside that are meant to be.
std::size_t CountTrue(const CheckResult& result);
// "note", "WARNING".
std::string LabelOf(const zones::Finding& finding);

std::string FormatTable(const CheckResult& result, const CheckPrint& print);
std::string FormatJson(const CheckResult& result);
// The monitoring-plugins form: a line with performance data, then the findings.
// Semantics: monitoring-plugins.org/doc/guidelines.html.
std::string FormatNagios(const CheckResult& result, const CheckPrint& print);
// A test case for each finding that is no note, and one for each topic without such.
std::string FormatJunit(const CheckResult& result);
// Text format 0.0.4, for the textfile collector of node_exporter.
std::string FormatPrometheus(const CheckResult& result);

}  // namespace azexporter::app
