/* SPDX-License-Identifier: Apache-2.0 */
extern const int some_other_symbol;
__attribute__((visibility("default"))) const int some_other_symbol = 1;
