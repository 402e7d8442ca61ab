# SPDX-License-Identifier: MIT
# What doc/ and README.md promise: examples that run, manual pages that render.
source_scripts += tests/doc/manual_test.sh
if !SANITIZER
test_scripts += tests/doc/examples_test.sh tests/doc/readme_test.sh
endif
