# SPDX-License-Identifier: MIT
EXTRA_DIST += doc/contributing.md doc/design.md doc/performance.md doc/performance.svg doc/tuning.md
