# SPDX-License-Identifier: MIT
EXTRA_DIST += doc/contributing.md doc/design.md
