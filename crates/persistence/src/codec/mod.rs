//! The codecs, side by side.
