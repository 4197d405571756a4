"""M3CN: RGBPose-Conv3D with Res2Net bottlenecks."""
