# SPDX-License-Identifier: MIT
# The public functions, called as a program calls them: these files include <slabuddy/...> and, of src/,
# only what tests/testing.h needs.
