//! What a codec encodes it decodes to the same value; what would not come back it refuses to encode.

mod depth;
mod known_types;
mod prost_depth;
mod refusals;
mod shapes;
mod trip;
