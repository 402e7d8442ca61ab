/* SPDX-License-Identifier: MIT */
#include "base/vm_event.h"

unsigned long vm_events[NR_VM_EVENTS];
