# SPDX-License-Identifier: MIT
# Makes records, groups, changes and prints them: jq allocates each value for itself.
def any: (. * 16807) % 2147483647;

[limit(60000; 20 | recurse(any))]
| to_entries
| map({id: .key, name: "name \(.value % 5000)", tags: [.value % 7, .value % 11 | tostring], value})
| group_by(.name)
| map({name: .[0].name, ids: map(.id), tags: (map(.tags[]) | unique), sum: (map(.value % 1000) | add)})
| map(. + {text: (.ids | map(tostring) | join(","))})
| sort_by(-.sum)
| map(.text | length)
| [length, add, .[0:5]]
