"""The replica of the organisation (机构、人员、资质) that a service gets by naming it in its spec."""
