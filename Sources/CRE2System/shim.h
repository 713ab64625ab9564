/* RE2 is C++: CRegex includes <re2/re2.h> itself, this module only carries the link line. */
