#include "azexporter/storage/memory_store.h"
