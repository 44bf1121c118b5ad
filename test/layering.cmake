# The one-way order of the modules, from their #include lines: a module includes only what stands to
# its left, and a third-party header only where it is on the list. Run as a test:
#   cmake -DSOURCE_DIR=... -P layering.cmake

cmake_minimum_required(VERSION 3.25)
# Each module with its folder. In this order they may include each other.
set(modules base model net exposition storage kube db probe zones audit collect promql rules notify remote config web app)
foreach(module base model net exposition storage kube db probe zones audit collect remote config web app)
  set(folder_${module} exporter/${module})
endforeach()
set(folder_promql rules/promql)
set(folder_rules rules/engine)
set(folder_notify rules/notify)

# What a module must not know although it stands to the left.
set(forbidden_kube model exposition storage)
set(forbidden_db model net exposition storage kube)
set(forbidden_zones model exposition storage)
set(forbidden_audit model net exposition storage db probe zones)
set(forbidden_promql net exposition kube db probe zones audit collect)
set(forbidden_rules net exposition kube db probe zones audit collect)
set(forbidden_notify exposition storage kube db probe zones audit collect promql rules)
set(forbidden_remote kube db probe zones audit collect promql rules notify)
set(forbidden_config audit promql rules)

# Heavy libraries, by the first part of their header, and the module that may include them.
set(libraries "yaml-cpp:base" "spdlog:base" "re2:model" "curl:net" "simdjson.h:kube,app"
              "libpq-fe.h:db" "hiredis:db" "prometheus:collect" "httplib.h:web" "snappy.h:exposition" "zlib.h:base" "sqlite3.h:base" "CLI:app"
              "openssl:kube,db" "nlohmann:")

set(failures "")
set(checked 0)
list(LENGTH modules count)
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  list(GET modules ${index} module)
  list(SUBLIST modules 0 ${index} allowed)
  list(APPEND allowed ${module})
  foreach(name ${forbidden_${module}})
    list(REMOVE_ITEM allowed ${name})
  endforeach()
  file(GLOB_RECURSE files ${SOURCE_DIR}/include/azexporter/${module}/*.h
       ${SOURCE_DIR}/${folder_${module}}/*.h ${SOURCE_DIR}/${folder_${module}}/*.cc)
  if(NOT files)
    list(APPEND failures "module ${module} has no files in ${folder_${module}}")
  endif()
  foreach(file ${files})
    math(EXPR checked "${checked} + 1")
    file(RELATIVE_PATH short ${SOURCE_DIR} ${file})
    file(STRINGS ${file} includes REGEX "^#include ")
    foreach(line ${includes})
      if(line MATCHES "\"azexporter/([a-z]+)/")
        set(other ${CMAKE_MATCH_1})
        if(NOT other IN_LIST allowed)
          list(APPEND failures "${short}: ${module} must not include ${other}")
        endif()
      endif()
      foreach(entry ${libraries})
        string(REGEX MATCH "^([^:]+):(.*)$" unused ${entry})
        set(library ${CMAKE_MATCH_1})
        string(REPLACE "," ";" owners "${CMAKE_MATCH_2}")
        if(line MATCHES "<${library}[/>]" AND NOT module IN_LIST owners)
          list(APPEND failures "${short}: ${module} must not include <${library}>")
        endif()
      endforeach()
    endforeach()
  endforeach()
endforeach()

if(failures)
  list(JOIN failures "\n  " text)
  message(FATAL_ERROR "layering:\n  ${text}")
endif()
message(STATUS "layering: ${checked} files in order")
