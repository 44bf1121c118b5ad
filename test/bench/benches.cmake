# Programs that measure; run by hand, each says how at its top.

# What a large cluster costs the simulator.
add_executable(simulator_scale_bench simulator/scale_bench.cc)
target_link_libraries(simulator_scale_bench PRIVATE azx_options azexporter::simulator fmt::fmt
                                                    PkgConfig::httplib)
# What its pods cost the Kubernetes client.
add_executable(kube_client_bench bench/kube_client_bench.cc)
target_link_libraries(kube_client_bench PRIVATE azx_options azexporter::kube azexporter::simulator
                                                simdjson::simdjson)
target_include_directories(kube_client_bench PRIVATE ${PROJECT_SOURCE_DIR}/exporter)
# And over HTTP, in a process of its own.
add_executable(kube_scale_bench bench/kube_scale_bench.cc)
target_link_libraries(kube_scale_bench PRIVATE azx_options azexporter::kube azexporter::simulator)
# What the loss of each zone of a large cluster costs to play through.
add_executable(placement_bench bench/placement_bench.cc bench/zone_cluster.cc)
target_link_libraries(placement_bench PRIVATE azx_options azexporter::kube azexporter::zones)
# What a whole report of it costs, and the next one after a change.
add_executable(zone_report_bench bench/zone_report_bench.cc bench/zone_cluster.cc)
target_link_libraries(zone_report_bench PRIVATE azx_options azexporter::kube azexporter::zones)
# What the policy audit of it costs, and the next one after a change.
add_executable(policy_bench bench/policy_bench.cc bench/zone_cluster.cc)
target_link_libraries(policy_bench PRIVATE azx_options azexporter::kube azexporter::audit)
# What its pods cost to show at /metrics.
add_executable(exposition_bench bench/exposition_bench.cc bench/zone_cluster.cc)
target_link_libraries(exposition_bench PRIVATE azx_options azexporter::collect azexporter::kube
                                               azexporter::storage prometheus-cpp::core)
# What a round over many databases costs.
add_executable(postgres_bench bench/postgres_bench.cc)
target_link_libraries(postgres_bench PRIVATE azx_options azexporter::db azexporter::servers fmt::fmt
                                             PostgreSQL::PostgreSQL)
# What queries over a large cluster cost.
add_executable(query_bench bench/query_bench.cc bench/zone_data.cc)
target_link_libraries(query_bench PRIVATE azx_options azexporter::promql azexporter::storage)
# What native histograms take in the store.
add_executable(histogram_bench bench/histogram_bench.cc)
target_link_libraries(histogram_bench PRIVATE azx_options azexporter::promql azexporter::storage)
# What the rule engine adds to the queries of its rules.
add_executable(rules_bench bench/rules_bench.cc)
target_include_directories(rules_bench PRIVATE ${PROJECT_SOURCE_DIR}/test)
target_link_libraries(rules_bench PRIVATE azx_options azexporter::rules azexporter::storage)
target_compile_definitions(rules_bench PRIVATE AZX_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
# The same queries, asked of azexporter and of Prometheus (compare_prometheus.sh).
add_executable(compare_prometheus bench/compare_prometheus.cc bench/zone_data.cc)
target_include_directories(compare_prometheus PRIVATE ${PROJECT_SOURCE_DIR}/test)
target_link_libraries(compare_prometheus PRIVATE azx_options azexporter::base azexporter::model
  PkgConfig::httplib Snappy::snappy nlohmann_json::nlohmann_json)
