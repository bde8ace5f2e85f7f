use super::Flaw;
use actum_model::CodecError;
use std::panic::resume_unwind;

/// The codec of the simulation: a few bytes, made as cheaply as can be, which also shows the flaws of a plan.
pub(crate) enum Compact {}

impl Compact {
    /// Shows a flaw at the end of an encoding.
    pub(crate) fn finish(flaw: Flaw, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match flaw {
            Flaw::EncodingFails => Err(CodecError::new("this has no encoding")),
            Flaw::EncodingPanics => blow_up("encoding"),
            Flaw::PayloadTooLarge => {
                out.resize(1000, 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Panics as a user's code would, without a word on the terminal.
pub(crate) fn blow_up(what: &str) -> ! {
    resume_unwind(Box::new(what.to_owned()))
}
