//! How much a file system can still take.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes that this user can still write where a folder is.
///
/// # Errors
/// When there is no such folder.
#[allow(unsafe_code)]
pub fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    let mut answer = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a live string with its end, `answer` has room for a statvfs; the call keeps neither.
    if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded and has filled it in.
    let answer = unsafe { answer.assume_init() };
    #[allow(clippy::useless_conversion, reason = "the fields are 32 bits wide on some systems")]
    Ok(u64::from(answer.f_bavail).saturating_mul(u64::from(answer.f_frsize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_space_and_no_folder_has_none() {
        let folder = tempfile::tempdir().expect("writable");
        assert!(free_bytes(folder.path()).expect("it is there") > 0);
        assert!(free_bytes(Path::new("no/such/folder")).is_err());
    }
}
