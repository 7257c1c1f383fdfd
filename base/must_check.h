/* The attribute of every function that can fail: its result, 0 or -errno, is looked at. */
#pragma once

#define must_check __attribute__((warn_unused_result))
