# SPDX-License-Identifier: MIT
source_scripts += tests/tree/dev_test.sh tests/tree/layers_test.sh tests/tree/sources_test.sh
if !SANITIZER
test_scripts += tests/tree/exports_test.sh tests/tree/install_test.sh
endif
EXTRA_DIST += tests/tree/exports.txt tests/tree/exports-malloc.txt
